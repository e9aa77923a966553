"""Cases: what applications and complaints share. A case has a number of twelve digits, a status and a history."""
