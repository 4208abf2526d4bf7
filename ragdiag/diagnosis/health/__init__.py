"""The health of an index that a store keeps, told without labels: one kind of fault a file, each a function `look`."""
