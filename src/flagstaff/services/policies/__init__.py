"""May this change happen now? One file per policy; each is pure, and judges one change."""
