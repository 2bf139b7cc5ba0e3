"""One file a kind of incident; each is a pure function from what is known of announcements to those of its kind."""

from rpkival.monitor.detectors.more_specific import more_specific_hijack, more_specific_unauthorised
from rpkival.monitor.detectors.origin import origin_hijack

__all__ = ["DETECTORS"]

DETECTORS = {
    "origin-hijack": origin_hijack,
    "more-specific-hijack": more_specific_hijack,
    "more-specific-unauthorised": more_specific_unauthorised,
}
"""By the name of the kind. An announcement is of one kind at most."""
