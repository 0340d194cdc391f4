"""The `orange` of an agent in a container, where there may be no Python: it asks by letter, in the shell.

Next in the flow: the postman outside answers, in three files instead of one.
"""

from __future__ import annotations

#: Uses nothing but what every image with a shell has.
TEXT = """#!/bin/sh
name=$ORANGE_MAILBOX/$(od -An -N8 -tx1 /dev/urandom | tr -d ' \\n')
{
    printf 'sh %s\\n' "$#"
    for word in "$@"; do printf '%s\\000' "$word"; done
    for word in "$@"; do
        if [ "$word" = - ]; then cat; break; fi
    done
} > "$name.new" || exit 1
mv "$name.new" "$name.ask" || exit 1
until [ -e "$name.answer" ]; do
    printf '!' 1<>"$ORANGE_MAILBOX/bell"
    sleep 0.05 2>/dev/null || sleep 1
done
cat "$name.out"
cat "$name.err" >&2
read -r status < "$name.answer"
rm -f "$name.out" "$name.err" "$name.answer"
exit "$status"
"""
