"""Results as a gate in CI: baselines, merged shards, drafts of known deviations."""
