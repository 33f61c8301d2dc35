"""What one value or text says: fields, labels, ARNs, dimensions, hosts, URLs, callees -> readings."""
