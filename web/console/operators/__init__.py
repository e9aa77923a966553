"""The page with the operators of village centres: enrol, suspend, resume, a new PIN, unusual use."""
