"""`python -m muscall`, which is also how torchrun starts it: `torchrun -m muscall train ...`."""

import os

from muscall.processes import end_with_parent

if __name__ == "__main__":
    if "LOCAL_RANK" in os.environ:  # a launcher started this; the imports below take seconds
        end_with_parent()

    from muscall.cli import main

    main()
