"""Reading chains of documents, each within the caller's reach."""
