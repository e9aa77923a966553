"""Documents that other offices issue: proving who asks for them, listing them, handing over one at a time."""
