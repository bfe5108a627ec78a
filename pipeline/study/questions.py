"""What raters can be asked: the questions of each design, and the answers that each allows."""

from typing import Literal

from metrics.user_study.votes import CHOICES, NO, SCALE, TIE, YES

Design = Literal["best_of", "pairwise", "attributes", "mixture", "rating"]

# Of each design, what is asked unless the study says otherwise. Those of best_of and mixture are fixed by their keys.
DEFAULTS: dict[Design, dict[str, str]] = {
    "best_of": {"best": "Which video is best?"},
    "pairwise": {
        "motion": "In which video is the motion more natural?",
        "consistency": "In which video does the object stay the same from frame to frame?",
        "quality": "Which video looks better?",
    },
    "attributes": {
        "content": "Does the video show the object that the text describes?",
        "action": "Does the video show the action that the text describes?",
        "smooth": "Is the motion smooth?",
        "not_weird": "Is the video free of anything weird?",
    },
    "mixture": {
        "shows_a": "Can you see something of “{a}” in it?",
        "shows_b": "Can you see something of “{b}” in it?",
        "one_object": "Is all that you see in one and the same object?",
    },
    "rating": {"quality": "How good is the video, from 1 (very bad) to 5 (very good)?"},
}
FIXED: tuple[Design, ...] = ("best_of", "mixture")
SIDE_BY_SIDE = CHOICES


def answers(design: Design, sides: int, ties: bool) -> tuple[str, ...]:
    """What may be answered to a question: the number of a side from the left ("1" is the first), or "tie" where there
    are ties; yes or no; 1 to 5."""
    if design in SIDE_BY_SIDE:
        return tuple(str(side + 1) for side in range(sides)) + ((TIE,) if ties else ())
    return SCALE if design == "rating" else (YES, NO)
