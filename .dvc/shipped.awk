# git's clean filter for dvc.lock: of its stages, those whose outputs travel in git. make sets it; docs/dag.md says why.
# DVC numbers YAML's anchors through the whole file, so that they are numbered again. It fails if one stands in a stage
# that is left out, and while a merge's conflict stands in the file, whose marks would end an entry before its outputs;
# git then takes the file as it is.
function stage_is_over(    lines, n, i) {
    if (entry != "" && out ~ /^(models|published)\// && out !~ /^models\/public/) {
        n = split(entry, lines, "\n")
        for (i = 1; i < n; i++) print numbered_again(lines[i])
    }
    entry = out = outs = ""
}
function numbered_again(line,    start, size, name) {
    if (!match(line, / [&*]id[0-9]+( |$)/)) return line
    start = RSTART + 2; size = RLENGTH - 2
    name = substr(line, start, size); sub(/ $/, "", name)
    if (!(name in anchors) && substr(line, start - 1, 1) == "*") exit 1
    if (!(name in anchors)) anchors[name] = sprintf("id%03d", ++count)
    return substr(line, 1, start - 1) anchors[name] substr(line, start + length(name))
}
/^(<<<<<<<|[|][|][|][|][|][|][|]|=======|>>>>>>>)/ { exit 1 }
/^[^ ]/ { stage_is_over(); print; next }
/^  [^ ]/ { stage_is_over() }
{ entry = entry $0 "\n" }
/^    [^ -]/ { outs = ($1 == "outs:") }
outs && out == "" && $1 == "-" && $2 == "path:" { out = $3 }
END { stage_is_over() }
