package postgres

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestASchemaNameThatNoSchemaCanHaveIsRefused(t *testing.T) {
	for _, name := range []string{"", "a\x00b", "\xff", "pg_catalog", strings.Repeat("x", 64), strings.Repeat("é", 32)} {
		require.ErrorIs(t, CheckSchema(name), ErrInvalid, "%q", name)
	}
	for _, name := range []string{"a", `"; DROP TABLE x; --`, "Ünï", strings.Repeat("x", 63)} {
		require.NoError(t, CheckSchema(name), "%q", name)
	}
}

func TestATableIsQuotedWhereverItIsNamed(t *testing.T) {
	require.Equal(t, `SELECT 1 FROM "t" WHERE x ~ '^{1,128}$'`, SQL("", "SELECT 1 FROM {t} WHERE x ~ '^{1,128}$'"))
	require.Equal(t, `"a""b"."t_u", "a""b"."v"`, SQL(`a"b`, "{t_u}, {v}"))
	require.Equal(t, "{} { {t", SQL("s", "{} { {t"))
}
