"""One run over the folders of a library: what is new is read and embedded, in commits."""
