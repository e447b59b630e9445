package tenant_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/vclock"
)

func TestAConfigIsRefusedByField(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*tenant.Config)
		fields []string
	}{
		"no id":              {func(c *tenant.Config) { c.ID = "" }, []string{"ID"}},
		"a slash in the id":  {func(c *tenant.Config) { c.ID = "a/b" }, []string{"ID"}},
		"an id not in ASCII": {func(c *tenant.Config) { c.ID = "akmé" }, []string{"ID"}},
		"a long id":          {func(c *tenant.Config) { c.ID = strings.Repeat("x", 129) }, []string{"ID"}},
		"no replicas":        {func(c *tenant.Config) { c.Replicas = 0 }, []string{"Replicas"}},
		"replicas below 0":   {func(c *tenant.Config) { c.Replicas = -1 }, []string{"Replicas"}},
		"8 replicas":         {func(c *tenant.Config) { c.Replicas = 8 }, []string{"Replicas"}},
		"Three of 2":         {func(c *tenant.Config) { c.Replicas, c.Read = 2, quorum.Three }, []string{"Read"}},
		"Two of 1":           {func(c *tenant.Config) { c.Replicas, c.Write = 1, quorum.Two }, []string{"Write"}},
		"unknown level":      {func(c *tenant.Config) { c.Write = quorum.All + 1 }, []string{"Write"}},
		"unknown policy":     {func(c *tenant.Config) { c.Policy = 2 }, []string{"Policy"}},
		"values below 0":     {func(c *tenant.Config) { c.Limits.MaxValueBytes = -1 }, []string{"Limits.MaxValueBytes"}},
		"values over 16 MiB": {func(c *tenant.Config) { c.Limits.MaxValueBytes = 16<<20 + 1 }, []string{"Limits.MaxValueBytes"}},
		"all that is wrong at once": {
			func(c *tenant.Config) { c.ID, c.Read, c.Policy = "", 99, 9 },
			[]string{"ID", "Read", "Policy"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := tenant.Config{ID: "acme", Replicas: 3}
			require.NoError(t, config.Validate())
			c.change(&config)
			err := config.Validate()
			require.ErrorIs(t, err, tenant.ErrInvalid)
			require.NotErrorIs(t, err, tenant.ErrNotFound)
			require.Equal(t, c.fields, fields(err))
		})
	}
}

func TestTheBoundsThemselvesAreValid(t *testing.T) {
	for _, c := range []tenant.Config{
		{ID: "x", Replicas: 1, Read: quorum.One, Write: quorum.All},
		{ID: strings.Repeat("x", tenant.MaxIDLen), Replicas: tenant.MaxReplicas, Read: quorum.Three},
		{ID: "A.z_0-9", Replicas: 3, Write: quorum.Three, Policy: vclock.LastWriteWins},
		{ID: "x", Replicas: 2, Write: quorum.Quorum, Limits: tenant.Limits{MaxValueBytes: tenant.MaxValueBytes}},
	} {
		require.NoError(t, c.Validate(), c)
	}
}

func TestALevelIsTakenExactlyWhenItsReplicasCanGiveIt(t *testing.T) {
	for n := 1; n <= tenant.MaxReplicas; n++ {
		for level := quorum.Default; level <= quorum.All+1; level++ {
			_, possible := level.Need(n)
			c := tenant.Config{ID: "acme", Replicas: n, Read: level}
			require.Equal(t, possible || level == quorum.Default, c.Validate() == nil, "%d of %d", level, n)
			c = tenant.Config{ID: "acme", Replicas: n, Write: level}
			require.Equal(t, possible || level == quorum.Default, c.Validate() == nil, "%d of %d", level, n)
		}
	}
}

func TestAnIDIsValidExactlyWhenAllOfItIsOfTheAlphabet(t *testing.T) {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	for b := range 256 {
		id := string([]byte{'a', byte(b), 'z'})
		require.Equal(t, strings.IndexByte(alphabet, byte(b)) >= 0, tenant.ValidID(id) == nil, "%q", id)
	}
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-z0-9._-]{0,140}`)).Draw(t, "id")
		want := id != "" && len(id) <= tenant.MaxIDLen && strings.Trim(id, alphabet) == ""
		require.Equal(t, want, tenant.ValidID(id) == nil)
	})
}

// fields returns the fields that err and the errors that it joins complain of, in order.
func fields(err error) []string {
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case nil:
		return nil
	case *tenant.FieldError:
		return []string{e.Field}
	case interface{ Unwrap() []error }:
		var all []string
		for _, err := range e.Unwrap() {
			all = append(all, fields(err)...)
		}
		return all
	default:
		return fields(errors.Unwrap(err))
	}
}
