"""Names -> one identity: taken apart, compared, joined, explained, overruled by people."""
