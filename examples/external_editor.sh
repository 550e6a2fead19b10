#!/bin/sh
# An "external editor" for programs that hand over a file and take it back changed:
#
#     external_editor.sh FILE [OPTION ...]        any options of `defocus photo`
#
# `defocus` never overwrites what it reads. So the result is made beside the file and then takes its
# place in one step; when anything goes wrong the file stays as it was.
set -eu
photo=${1:?which file? external_editor.sh FILE [OPTION ...]}
shift
work=$(mktemp -d "$(dirname "$photo")/.bokeh-XXXXXX")
trap 'rm -rf "$work"' EXIT
"${DEFOCUS:-defocus}" photo "$photo" --out "$work/$(basename "$photo")" --quiet "$@"
mv "$work/$(basename "$photo")" "$photo"
