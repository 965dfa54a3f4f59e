-- A quantity as Decimal(38, 9), or NULL where an exact one cannot be had. ClickHouse reads JSON numbers
-- through a double and hands out the shortest text that gives the same double, so a number counts only
-- if a double holds it exactly: integers of 64 bits, and numbers of at most 15 significant digits, as
-- they are written in the properties. Longer ones must be strings; an integer beyond 64 bits arrives as
-- if it were one. 20 digits and nine decimals at most.
multiIf(
    JSONType(properties, {property:String}) = 'Int64',
    toNullable(toDecimal128(JSONExtractInt(properties, {property:String}), 9)),
    JSONType(properties, {property:String}) = 'String'
        AND match(JSONExtractString(properties, {property:String}), '^-?[0-9]{1,20}(\\.[0-9]{1,9})?$')
        AND NOT (match(JSONExtractString(properties, {property:String}), '^-?[0-9]{19,20}$')
            AND has(extractAll(properties, {written_number:String}), JSONExtractString(properties, {property:String}))),
    toDecimal128OrNull(JSONExtractString(properties, {property:String}), 9),
    JSONType(properties, {property:String}) = 'Double'
        AND match(JSONExtractRaw(properties, {property:String}),
            '^-?([0-9]{1,20}(\\.[0-9]{1,9})?|[0-9](\\.[0-9]{1,2})?e-7|[0-9](\\.[0-9])?e-8|[0-9]e-9)$')
        -- Of the numbers written under this name (nested objects have names too), those with this value
        -- are all short: no 16 digits from the first to the last that is not 0.
        AND arrayDistinct(arrayMap(x -> match(x, '^-?[0.]*[1-9](\\.?[0-9]){14,}\\.?[1-9]'),
            arrayFilter(x -> JSONExtractFloat(concat('[', x, ']'), 1) = JSONExtractFloat(properties, {property:String}),
                extractAll(properties, {written_number:String})))) = [0],
    toDecimal128OrNull(JSONExtractRaw(properties, {property:String}), 9),
    NULL)
