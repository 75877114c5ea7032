"""`python -m muscall`, which is also how torchrun starts it: `torchrun -m muscall train ...`."""

from muscall.cli import main

if __name__ == "__main__":
    main()
