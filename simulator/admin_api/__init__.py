"""The Admin API's answers: the query roots, the mutations, and the execution of a document over them."""
