"""What the bucket service answers: all regions, and those of a bucket."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .answer import Answer, Content, compact


@dataclass(frozen=True)
class Region:
    """One region, with API hosts that the test chooses and other hosts that no
    query may go to."""

    id: str
    domains: Sequence[str] = ()
    """Of its API: preferred."""
    old: Sequence[str] = ()
    """Of its API: alternative."""
    acc_domains: Sequence[str] = ()
    """Of its API: before the preferred ones; left out when there are none."""
    ttl: int = 86_400

    def as_json(self, id_name: str) -> dict[str, Any]:
        """The region as one of the two answers has it."""
        accelerated = {"acc_domains": [*self.acc_domains]} if self.acc_domains else {}
        return {
            id_name: self.id,
            "description": "视频",
            "ttl": self.ttl,
            "io": _others(self.id, "iovip"),
            "up": _others(self.id, "upload"),
            "rs": _others(self.id, "rs"),
            "rsf": _others(self.id, "rsf"),
            "api": accelerated | {"domains": [*self.domains], "old": [*self.old]},
            "uc": _others(self.id, "uc"),
        }


def _others(region: str, service: str) -> dict[str, Any]:
    """Hosts of another service, whose names have no address."""
    name = f"{service}-{region}.invalid"
    return {"acc_domains": [f"acc-{name}"], "domains": [name], "old": [f"old-{name}"]}


Regions = Sequence[Region | Mapping[str, Any]] | Mapping[str, Any] | bytes | Answer
"""What a test has answered: regions, of which each may be JSON of the test's own
making; or all of the JSON; or any bytes; or a whole answer."""


def answer_with(regions: Regions, member: str, id_name: str) -> Answer:
    """`member` holds the regions, of which `id_name` holds the id."""
    match regions:
        case Answer():
            return regions
        case bytes():
            return Answer(200, regions)
        case Mapping():
            return Answer(200, compact(regions))
    listed = [r.as_json(id_name) if isinstance(r, Region) else r for r in regions]
    return Answer(200, compact({member: listed}))


class BucketService:
    """The answers that a test has set; none at first."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forgets them."""
        self.regions: Regions | None = None
        """Answers GET /regions."""
        self.bucket_regions: Mapping[str, Regions] | None = None
        """Answers GET /v4/query, by bucket."""

    def all_regions(self) -> Answer:
        """Answers GET /regions."""
        if self.regions is None:
            return Answer.error(404, "not found")
        return answer_with(self.regions, "regions", "id")

    def regions_of(self, bucket: str) -> Answer:
        """Answers GET /v4/query."""
        if self.bucket_regions is None:
            return Answer.error(404, "not found")
        if bucket not in self.bucket_regions:
            return Answer.error(631, "no such bucket")
        return answer_with(self.bucket_regions[bucket], "hosts", "region")


def content_of(answer: Answer) -> Content:
    """What faults make wrong answers of."""
    return Content(lambda: answer.body, lambda: answer.body)
