-- Parts are written often and read seldom: sixteen are merged at once, which copies a row a third as often as
-- the default of five does. A projection is made when parts are merged. Nobody asks for statistics.
SETTINGS merge_selector_base = 16, auto_statistics_types = '',
    materialize_projections_on_insert = 0, materialize_projections_on_merge = 1
