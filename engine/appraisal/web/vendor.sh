#!/bin/sh
# Fetches the libraries of reports as package-lock.json pins them. `vendor.sh --check` only says whether vendor/ holds
# the same bytes; without it they are put there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$place"
(cd "$place" && npm ci --ignore-scripts --no-audit --no-fund --silent)
modules=$place/node_modules
take() {
    if [ "${check:-}" ]; then cmp "$modules/$1" "$here/vendor/$2"; else cp "$modules/$1" "$here/vendor/$2"; fi
}
[ "${1:-}" = --check ] && check=yes
take deck.gl/dist.min.js deck.gl.min.js
take deck.gl/LICENSE deck.gl.LICENSE
take uplot/dist/uPlot.iife.min.js uPlot.iife.min.js
take uplot/dist/uPlot.min.css uPlot.min.css
take uplot/LICENSE uPlot.LICENSE
echo "vendor/ equals the packages of package-lock.json"
