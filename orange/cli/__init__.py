"""The command line: one file per noun; `catalog` names every command, `app` finds them, `errors` ends them."""
