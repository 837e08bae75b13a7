# SPDX-License-Identifier: LGPL-2.1-or-later

"""Makes a directory for PYTHONPATH in which PyGObject finds the override as it
is in the source tree."""

import os
import sys
from pathlib import Path

source, top = Path(sys.argv[1]), Path(sys.argv[2])
overrides = top / 'gi' / 'overrides'
overrides.parent.mkdir(parents=True, exist_ok=True)
if not overrides.is_symlink():
    os.symlink(source, overrides)
