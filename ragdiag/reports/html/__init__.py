"""Reports as one page that loads nothing: `audit` and `compare` say what is on it, `page` makes it safe."""
