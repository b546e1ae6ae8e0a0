"""A gate in CI: exit status, baselines, merged shards, drafts of known deviations."""
