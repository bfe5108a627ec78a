# git's clean filter for dvc.lock: of its stages, those whose outputs travel in git. make sets it; docs/dag.md says why.
function stage_is_over() {
    if (entry != "" && out ~ /^(models|published)\// && out !~ /^models\/public/) printf "%s", entry
    entry = out = outs = ""
}
/^[^ ]/ { stage_is_over(); print; next }
/^  [^ ]/ { stage_is_over() }
{ entry = entry $0 "\n" }
/^    [^ -]/ { outs = ($1 == "outs:") }
outs && out == "" && $1 == "-" && $2 == "path:" { out = $3 }
END { stage_is_over() }
