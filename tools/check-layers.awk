# Fails when a file of src/ includes a room that src/LAYERS does not allow.
# Usage: awk -f tools/check-layers.awk src/LAYERS src/*/*.[ch]
function bad(text) { print text; failed = 1 }
FNR == 1 && FILENAME != ARGV[1] { n = split(FILENAME, p, "/"); room = p[n - 1]
    if (!(room in known)) bad(FILENAME ": room '" room "' is not in LAYERS") }
FILENAME == ARGV[1] {
    if ($0 ~ /^#/ || NF == 0) next
    name = $1; sub(/:$/, "", name); may[name, name] = 1
    for (i = 2; i <= NF; i++) { if (!($i in known)) bad("LAYERS: '" name "' names '" $i "', which is not an earlier line")
                                may[name, $i] = 1 }
    known[name] = 1; next
}
match($0, /^[ \t]*#[ \t]*include[ \t]+"[a-z0-9_]+\//) {
    to = $0; sub(/^[^"]*"/, "", to); sub(/\/.*/, "", to)
    if (to != "gen" && !((room, to) in may)) bad(FILENAME ":" FNR ": room '" room "' may not include '" to "' (src/LAYERS)")
}
END { exit failed }
