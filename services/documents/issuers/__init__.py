"""Issuers of documents: the interface and one module an issuer."""
