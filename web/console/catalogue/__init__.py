"""The page with the catalogue: services, sectors, departments, billers, and what a check of the files says."""
