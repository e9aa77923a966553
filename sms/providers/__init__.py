"""The providers of SMS, one file each: how it is asked, and one table of what its answers mean."""
