"""How accurate structure-only decomposition is: real documents against gold that was made by hand.

`python -m bench.plans` prints every document with what is wrong. Next in the flow: `gold`, `score`.
"""

from __future__ import annotations
