package redis

import (
	"fmt"

	goredis "github.com/redis/go-redis/v9"

	"github.com/devrev/pairdb/idempotency"
)

// Each script has one key, that of the record, and answers with 1 if it did what it is for. Else it
// answers with the bytes that are at the key, and has changed nothing. (Lua counts bytes from 1.)
//
// An error is returned, not raised: then every version of Redis leaves its code where it is.
//
//	ARGV[1]  the record to store
//	ARGV[2]  its time to live, in milliseconds
//	ARGV[3]  replace alone: the dot that the record must have
var (
	beginScript = goredis.NewScript(`
local has = redis.pcall('GET', KEYS[1])
if has then return has end
local set = redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if set.err then return set end
return 1
`)

	completeScript = goredis.NewScript(readHead + `
local dot, flags, has = head()
if has then
	if dot ~= dotOf(ARGV[1]) then return has end
	if done(flags) then
		local kept = redis.pcall('PEXPIRE', KEYS[1], ARGV[2])
		if type(kept) == 'table' then return kept end
		return 1
	end
	if flags ~= 0 then return has end
end
local set = redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if set.err then return set end
return 1
`)

	replaceScript = goredis.NewScript(readHead + `
local dot, flags, has = head()
if has and (dot ~= ARGV[3] or flags ~= 0) then return has end
local set = redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if set.err then return set end
return 1
`)
)

// readHead defines head, which answers with the dot and the flags of the record, and with all of it. What
// is no record of our version has no dot, and so is never overwritten.
var readHead = fmt.Sprintf(`
local function dotOf(record) return string.sub(record, %[1]d, %[2]d) end
local function done(flags) return flags == %[5]d or flags == %[6]d end
local function head()
	local has = redis.pcall('GET', KEYS[1])
	if type(has) ~= 'string' or string.byte(has, 1) ~= %[3]d then
		return nil, nil, has
	end
	return dotOf(has), string.byte(has, %[4]d), has
end
`,
	idempotency.DotOffset+1, idempotency.DotOffset+idempotency.DotLen,
	idempotency.RecordVersion, idempotency.FlagsOffset+1,
	idempotency.FlagDone, idempotency.FlagDone|idempotency.FlagSuperseded)
