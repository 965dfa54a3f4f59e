-- One row if the server has all settings of our tables; older ones do without.
SELECT count() AS known FROM system.merge_tree_settings
WHERE name IN ('merge_selector_base', 'auto_statistics_types',
    'materialize_projections_on_insert', 'materialize_projections_on_merge')
HAVING known = 4
