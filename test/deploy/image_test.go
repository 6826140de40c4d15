package deploy_test

import (
	"debug/elf"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

type stage struct {
	Name, Base string
	Commands   []string
}

// command returns the rest of the one line of a stage that begins so.
func (s stage) command(t *testing.T, begin string) string {
	t.Helper()
	i := slices.IndexFunc(s.Commands, func(c string) bool { return strings.HasPrefix(c, begin) })
	require.NotEqual(t, -1, i, "%s in %v", begin, s.Commands)
	return strings.TrimSpace(strings.TrimPrefix(s.Commands[i], begin))
}

func stages(t *testing.T) (build, image stage) {
	t.Helper()
	var found []stage
	readManifest(t, &found, "dockerfile", filepath.Join(deployment, "image", "Dockerfile"))
	require.Len(t, found, 2)
	return found[0], found[1]
}

// imageUser is who the program runs as, in the image.
func imageUser(t *testing.T) string {
	t.Helper()
	_, image := stages(t)
	user, group, _ := strings.Cut(image.command(t, "USER"), ":")
	require.Equal(t, user, group)
	return user
}

func TestImage(t *testing.T) {
	t.Parallel()
	_, image := stages(t)
	require.Equal(t, "scratch", image.Base)
	require.Regexp(t, `^[1-9]\d+$`, imageUser(t), "Kubernetes can only tell of a number that it is not root")
	require.Equal(t, `["/passbook"]`, image.command(t, "ENTRYPOINT"))
	require.Equal(t, `["serve"]`, image.command(t, "CMD"))
	require.Contains(t, image.command(t, "ENV"), "PASSBOOK_DATA="+dataFolder)
	require.Contains(t, image.Commands, "COPY --from=build --chown="+imageUser(t)+":"+imageUser(t)+" /out/data "+dataFolder)
}

// The Go release that the image is built with is the one of the module.
func TestImage_GoVersion(t *testing.T) {
	t.Parallel()
	module, err := os.ReadFile(filepath.Join(top, "go.mod"))
	require.NoError(t, err)
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(string(module))
	require.NotNil(t, version)
	file, err := os.ReadFile(filepath.Join(deployment, "image", "Dockerfile"))
	require.NoError(t, err)
	require.Contains(t, string(file), "ARG GO_VERSION="+version[1]+"\n")
}

// The line that builds the program is run on what the context holds, and a
// program comes out that needs no other file.
func TestImage_Build(t *testing.T) {
	t.Parallel()
	build, _ := stages(t)
	i := slices.IndexFunc(build.Commands, func(c string) bool { return strings.Contains(c, " go build ") })
	require.NotEqual(t, -1, i)
	_, line, _ := strings.Cut(build.Commands[i], "CGO_ENABLED=0")
	out := t.TempDir()
	command := exec.Command("sh", "-c", strings.ReplaceAll("CGO_ENABLED=0"+line, "/out/", out+"/"))
	command.Dir = buildContext(t)
	command.Env = append(os.Environ(), "VERSION=1.2.3", "TARGETOS="+runtime.GOOS, "TARGETARCH="+runtime.GOARCH)
	said, err := command.CombinedOutput()
	require.NoError(t, err, "%s", said)

	program := filepath.Join(out, "passbook")
	said, err = exec.Command(program, "version").CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.Contains(t, string(said), "passbook 1.2.3 ")
	if runtime.GOOS != "linux" {
		testenv.Skip(t, "Linux, to look into the program")
	}
	binary, err := elf.Open(program)
	require.NoError(t, err)
	defer binary.Close()
	for _, part := range binary.Progs {
		require.NotEqual(t, elf.PT_INTERP, part.Type, "it asks for a loader, and the image has none")
	}
}

// buildContext copies what Dockerfile.dockerignore lets through.
func buildContext(t *testing.T) string {
	t.Helper()
	ignored, err := os.ReadFile(filepath.Join(deployment, "image", "Dockerfile.dockerignore"))
	require.NoError(t, err)
	var kept, anywhere []string
	for line := range strings.Lines(string(ignored)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "!"); ok {
			kept = append(kept, name)
		}
		if pattern, ok := strings.CutPrefix(line, "**/"); ok {
			anywhere = append(anywhere, pattern)
		}
	}
	require.NotEmpty(t, kept)
	to := t.TempDir()
	require.NoError(t, fs.WalkDir(os.DirFS(top), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		first, _, _ := strings.Cut(path, "/")
		drop := !slices.Contains(kept, first) || slices.ContainsFunc(anywhere, func(pattern string) bool {
			match, _ := filepath.Match(pattern, entry.Name())
			return match
		})
		switch {
		case drop && entry.IsDir():
			return fs.SkipDir
		case drop:
			return nil
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, path), 0o700)
		}
		content, err := os.ReadFile(filepath.Join(top, path))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, path), content, 0o600)
	}))
	return to
}
