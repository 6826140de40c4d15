package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/internal/testenv"
)

// mongosh returns MongoDB's shell, of the PATH or of the tools that run on
// Node.js.
func mongosh(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("mongosh"); err == nil {
		return path
	}
	folder, err := exec.Command(filepath.Join(top, "scripts", "node-tools")).Output()
	path := filepath.Join(strings.TrimSpace(string(folder)), ".bin", "mongosh")
	if _, missing := os.Stat(path); err != nil || missing != nil {
		testenv.Skip(t, "mongosh")
	}
	return path
}

// The script makes the users on servers that let nobody in without one, and run
// again it leaves everything as it is. Here it finds a set of one member: that
// others join is not tested.
func TestMongoDBInit(t *testing.T) {
	t.Parallel()
	shell, secrets := mongosh(t), makeSecrets(t)
	key := filepath.Join(t.TempDir(), "keyfile")
	require.NoError(t, os.WriteFile(key, []byte(readAll(t, secrets)["mongodb-keyfile"]), 0o400))
	server := testenv.StartMembers(t, 1, "--keyFile", key).Addrs[0]
	script, err := os.ReadFile(filepath.Join(deployment, "compose", "mongodb-init.js"))
	require.NoError(t, err)
	here := filepath.Join(t.TempDir(), "init.js")
	require.NoError(t, os.WriteFile(here, []byte(strings.NewReplacer(
		"'mongodb-1:27017', 'mongodb-2:27017', 'mongodb-3:27017'", "'"+server+"'", "127.0.0.1:27017/", server+"/",
		"replicaSet=passbook", "replicaSet=rs0", "/run/secrets", secrets).Replace(string(script))), 0o600))
	for range 2 {
		said, err := exec.Command(shell, "--quiet", "--norc", "--nodb", "--file", here).CombinedOutput()
		require.NoError(t, err, "%s", said)
		require.Contains(t, string(said), "user passbook: readWrite on passbook")
	}
	require.NoError(t, write(t, server, "passbook", secrets))
	require.ErrorContains(t, write(t, server, "viewer", secrets), "not authorized")
	require.ErrorContains(t, insert(t, "mongodb://"+server+"/?replicaSet=rs0"), "requires authentication")
}

func write(t *testing.T, server, user, secrets string) error {
	t.Helper()
	return insert(t, "mongodb://"+user+":"+readAll(t, secrets)["mongodb-"+user+"-password"]+"@"+server+"/?replicaSet=rs0")
}

func insert(t *testing.T, url string) error {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(url))
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Disconnect(t.Context())) }()
	_, err = client.Database("passbook").Collection("trial").InsertOne(t.Context(), bson.D{{Key: "a", Value: 1}})
	return err
}
