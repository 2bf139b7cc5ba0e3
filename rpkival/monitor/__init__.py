"""Which announcements are somebody else taking what is ours: expectations, detectors, incidents."""
