#!python
"""The command `orange`, as it is installed: the installer puts its own Python into the first line.

Written out, because the script that pip makes of an entry point imports `re`, which takes longer than many an answer.
Next in the flow: `__main__`.
"""

import sys

from orange.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
