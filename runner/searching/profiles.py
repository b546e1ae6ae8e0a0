"""Profiles: how many cases are judged."""

from __future__ import annotations

from dataclasses import dataclass

from ...reports.results import ProfileName

__all__ = ["PROFILES", "Profile"]


@dataclass(frozen=True)
class Profile:
    """Numbers of cases.

    Attributes:
        name: of the profile.
        every_combination: whether all combinations are visited; otherwise a covering array of
            strength 3.
        per_combination: cases of each combination; at least 2, since the first one that
            Hypothesis draws is the smallest.
        per_clause: cases of each other test, which judges one clause.
        per_shrinking: cases that are tried to shrink one that failed.
        explores: whether every run draws a new seed, which is printed, unless one is given.
        every_size: whether all steps of each ladder of sizes are visited; otherwise one of each
            class.
        work_limit: pairs of size classes are visited if a case takes no more work, in seconds;
            0 for a few pairs.
    """

    name: ProfileName
    every_combination: bool
    per_combination: int
    per_clause: int
    per_shrinking: int
    explores: bool = False
    every_size: bool = False
    work_limit: float = 0.0


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            "smoke",
            every_size=False,
            work_limit=0.0,
            every_combination=False,
            per_combination=2,
            per_clause=10,
            per_shrinking=20,
        ),
        Profile(
            "default",
            every_size=True,
            work_limit=0.5,
            every_combination=True,
            per_combination=2,
            per_clause=60,
            per_shrinking=60,
        ),
        Profile(
            "thorough",
            every_size=True,
            work_limit=20.0,
            every_combination=True,
            per_combination=12,
            per_clause=600,
            per_shrinking=1000,
            explores=True,
        ),
    )
}
