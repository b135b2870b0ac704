"""Write what the cases of some files answer today, or of all."""

import sys

from holding import write

write(sys.argv[1:])
