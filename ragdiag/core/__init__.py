"""What everyone may use, and what uses nothing: records, contracts, errors, files, the registry of strategies."""
