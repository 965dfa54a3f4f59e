-- A quantity as Decimal(76, 9), or NULL where an exact one cannot be had. ClickHouse reads JSON numbers
-- through a double, so a number counts only if a double holds it exactly: integers of 64 bits, and
-- numbers of at most 15 significant digits. Longer ones must be strings. Nine decimals at most.
multiIf(
    JSONType(properties, {property:String}) = 'Int64',
    toDecimal256OrNull(JSONExtractRaw(properties, {property:String}), 9),
    JSONType(properties, {property:String}) = 'String'
        AND match(JSONExtractString(properties, {property:String}), '^-?[0-9]{1,20}(\\.[0-9]{1,9})?$'),
    toDecimal256OrNull(JSONExtractString(properties, {property:String}), 9),
    JSONType(properties, {property:String}) = 'Double'
        AND match(JSONExtractRaw(properties, {property:String}), '^-?[0-9]{1,15}(\\.[0-9]{1,9})?$')
        AND length(replaceRegexpAll(JSONExtractRaw(properties, {property:String}), '^-?0*\\.?0*|\\.', '')) <= 15
        AND NOT match(properties, {long_number:String}),
    toDecimal256OrNull(JSONExtractRaw(properties, {property:String}), 9),
    NULL)
