"""Who owns what: catalogues, and who is paged -> owners, teams, repositories."""
