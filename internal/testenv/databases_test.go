package testenv_test

import (
	"context"
	"database/sql"
	"net/url"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/internal/testenv"
)

// A database is a test's own, takes writes, and is gone when the test is over.
func TestMongoDatabase(t *testing.T) {
	client, err := mongo.Connect(options.Client().ApplyURI(testenv.MongoDB(t)))
	require.NoError(t, err)
	defer func() { require.NoError(t, client.Disconnect(context.Background())) }()
	var name string
	t.Run("used", func(t *testing.T) {
		address := testenv.MongoDatabase(t)
		require.NotEqual(t, address, testenv.MongoDatabase(t))
		_, path, _ := strings.Cut(strings.TrimPrefix(address, "mongodb://"), "/")
		name, _, _ = strings.Cut(path, "?")
		_, err := client.Database(name).Collection("c").InsertOne(t.Context(), bson.D{{Key: "a", Value: 1}})
		require.NoError(t, err)
		names, err := client.ListDatabaseNames(t.Context(), bson.D{})
		require.NoError(t, err)
		require.Contains(t, names, name)
	})
	names, err := client.ListDatabaseNames(t.Context(), bson.D{})
	require.NoError(t, err)
	require.NotContains(t, names, name)
}

func TestMySQLDatabase(t *testing.T) {
	testenv.MySQL(t)
	var kept *sql.DB
	t.Run("used", func(t *testing.T) {
		address := testenv.MySQLDatabase(t)
		require.NotEqual(t, address, testenv.MySQLDatabase(t))
		own, err := url.Parse(address)
		require.NoError(t, err)
		config := mysql.NewConfig()
		config.User = own.User.Username()
		config.Passwd, _ = own.User.Password()
		config.Net, config.Addr, config.DBName = "tcp", own.Host, strings.TrimPrefix(own.Path, "/")
		connector, err := mysql.NewConnector(config)
		require.NoError(t, err)
		kept = sql.OpenDB(connector)
		require.NoError(t, kept.Ping())
		_, err = kept.Exec("CREATE TABLE t (a INT)")
		require.NoError(t, err)
	})
	defer func() { require.NoError(t, kept.Close()) }()
	_, err := kept.Exec("SELECT a FROM t")
	require.Error(t, err, "the database is still there")
}
