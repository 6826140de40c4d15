// Makes a replica set of the three servers, and its users. Run again, it does what is still missing.
//
// The first server begins alone, so that it is certain to be the primary, which is where the first user is made; the
// others join it then.
const { readFileSync } = require('fs')

const secret = (name) => readFileSync(`/run/secrets/${name}`, 'utf8').trim()
const members = ['mongodb-1:27017', 'mongodb-2:27017', 'mongodb-3:27017']
const local = 'mongodb://127.0.0.1:27017/?directConnection=true'
const all = `mongodb://root:${secret('mongodb-root-password')}@${members.join(',')}/?replicaSet=passbook&authSource=admin`

// until tries again for two minutes: elections and configurations take their time.
function until(what, attempt) {
  for (let tries = 1; ; tries++) {
    try {
      const result = attempt()
      if (result) return result
      if (tries > 120) throw new Error(`${what}: it does not come about`)
    } catch (error) {
      if (tries > 120) throw error
    }
    sleep(1000)
  }
}

function first() {
  const admin = new Mongo(local).getDB('admin')
  if (!admin.hello().setName) {
    admin.runCommand({ replSetInitiate: { _id: 'passbook', members: [{ _id: 0, host: members[0] }] } })
    print(`replica set passbook: begun by ${members[0]}`)
  }
  if (admin.hello().hosts.length > 1) return // users were made before others joined
  until('primary', () => admin.hello().isWritablePrimary)
  try {
    admin.createUser({ user: 'root', pwd: secret('mongodb-root-password'), roles: ['root'] })
    print('user root: made')
  } catch (error) {
    if (!['Unauthorized', 'Location51003'].includes(error.codeName)) throw error // it is there
  }
}

function join(admin) {
  for (const host of members) {
    until(host, () => {
      const config = admin.runCommand({ replSetGetConfig: 1 }).config
      if (config.members.some((member) => member.host === host)) return true
      config.version++
      config.members.push({ _id: 1 + Math.max(...config.members.map((member) => member._id)), host })
      admin.runCommand({ replSetReconfig: config })
      print(`${host}: joined`)
      return true
    })
  }
}

function user(admin, name, role) {
  const wanted = { pwd: secret(`mongodb-${name}-password`), roles: [{ role, db: 'passbook' }] }
  if (admin.getUser(name)) admin.updateUser(name, wanted)
  else admin.createUser({ user: name, ...wanted })
  print(`user ${name}: ${role} on passbook`)
}

first()
const admin = until('root', () => new Mongo(all)).getDB('admin')
user(admin, 'passbook', 'readWrite')
user(admin, 'viewer', 'read')
join(admin)
