"""Tables 1, 2 and 4 and Figure 3 of the paper on one GPU, in minutes."""
