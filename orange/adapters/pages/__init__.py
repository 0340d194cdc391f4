"""Files that hold printed pages: `pdf` has a `child` process read them."""
