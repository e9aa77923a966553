"""What the pages of applications, complaints and feedback share."""
