// Logs in once for every variant that it reads from standard input, and prints one line for each: "ok <name>" or why not.
// Each library is also shown something false, which it has to refuse: an answer of another issuer, or another nonce.
// The input is {issuer, sandbox, cards, variants}; a variant is described in cmd/sandbox/e2e/strangers_test.go.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import * as jose from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'

const { issuer, sandbox, cards, variants } = JSON.parse(await text(process.stdin))
const run = promisify(execFile)

// browse is the person with the card: from the authorization request to the address of the answer.
async function browse(url) {
  const { stdout } = await run(sandbox, ['login', '--card', new URL(cards).host, url.href])
  return new URL(stdout.trim())
}

// refuses holds a library to refusing what is false.
async function refuses(what, attempt) {
  try {
    await attempt()
  } catch {
    return
  }
  throw new Error(`takes ${what}`)
}

// tampered is an answer as somebody else could have made it.
function tampered(back) {
  const url = new URL(back), jarm = url.searchParams.get('response')
  if (jarm) url.searchParams.set('response', jarm.slice(0, -6) + (jarm.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA'))
  else url.searchParams.set('iss', 'https://another.example')
  return url
}

async function privateKey({ key, keyAlg }) {
  if (!key) return null
  const { alg, ...jwk } = key
  const algorithm = { ES256: { name: 'ECDSA', namedCurve: 'P-256' }, PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
    RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, Ed25519: { name: 'Ed25519' } }[keyAlg]
  return { kid: key.kid, key: await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign']) }
}

function check(claims, userinfo) {
  if (claims.age_over_18 !== true && userinfo.age_over_18 !== true) throw new Error('age_over_18 is missing')
  if (claims.sub !== userinfo.sub) throw new Error('two subjects')
}

async function openidClient(v) {
  const signing = await privateKey(v)
  const metadata = { id_token_signed_response_alg: v.alg, authorization_signed_response_alg: v.alg, ...(v.userinfo && { userinfo_signed_response_alg: v.alg }) }
  const auth = { private_key_jwt: () => openid.PrivateKeyJwt(signing), client_secret_basic: openid.ClientSecretBasic,
    client_secret_post: openid.ClientSecretPost, none: openid.None }[v.auth](v.secret)
  const config = await openid.discovery(new URL(issuer), v.clientId, metadata, auth, { execute: [openid.allowInsecureRequests] })
  const DPoP = v.dpop ? openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256')) : undefined
  if (v.enc) openid.enableDecryptingResponses(config, ['A256GCM'], { key: await jose.importJWK(v.encKey, v.enc), alg: v.enc, kid: v.encKey.kid })
  if (v.jarm) openid.useJwtResponseMode(config)
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const expectedState = openid.randomState(), expectedNonce = openid.randomNonce()
  let url = openid.buildAuthorizationUrl(config, {
    redirect_uri: v.redirectUri, scope: 'openid age_over_18', state: expectedState, nonce: expectedNonce,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
  })
  if (v.jar) url = await openid.buildAuthorizationUrlWithJAR(config, url.searchParams, signing)
  if (v.par) url = await openid.buildAuthorizationUrlWithPAR(config, url.searchParams, { DPoP })
  const back = await browse(url)
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
  const grant = (back, checks) => openid.authorizationCodeGrant(config, back, checks, undefined, { DPoP })
  await refuses('an answer of another issuer', () => grant(tampered(back), checks))
  await refuses('another state', () => grant(back, { ...checks, expectedState: 'another' }))
  if (v.wrongNonce) return refuses('another nonce', () => grant(back, { ...checks, expectedNonce: 'another' }))
  const tokens = await grant(back, checks)
  if (tokens.token_type !== (v.dpop ? 'dpop' : 'bearer')) throw new Error(`a token of type ${tokens.token_type}`)
  const claims = tokens.claims()
  check(claims, await openid.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP }))
  await refuses("another person's userinfo", () => openid.fetchUserInfo(config, tokens.access_token, 'another', { DPoP }))
}

async function oauth4webapi(v) {
  const insecure = { [oauth.allowInsecureRequests]: true }
  const signing = await privateKey(v)
  const as = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), insecure))
  const client = { client_id: v.clientId, id_token_signed_response_alg: v.alg, authorization_signed_response_alg: v.alg,
    ...(v.userinfo && { userinfo_signed_response_alg: v.alg }) }
  const decrypt = v.enc ? { [oauth.jweDecrypt]: async (jwe) =>
    new TextDecoder().decode((await jose.compactDecrypt(jwe, await jose.importJWK(v.encKey, v.enc))).plaintext) } : {}
  const auth = { private_key_jwt: () => oauth.PrivateKeyJwt(signing), client_secret_basic: oauth.ClientSecretBasic,
    client_secret_post: oauth.ClientSecretPost, none: oauth.None }[v.auth](v.secret)
  const options = { ...insecure, DPoP: v.dpop ? oauth.DPoP(client, await oauth.generateKeyPair('ES256')) : undefined }
  const verifier = oauth.generateRandomCodeVerifier(), state = randomUUID(), nonce = randomUUID()
  let params = new URLSearchParams({ client_id: v.clientId, redirect_uri: v.redirectUri, response_type: 'code', scope: 'openid age_over_18', state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' })
  if (v.jarm) params.set('response_mode', 'jwt')
  if (v.jar) params = new URLSearchParams({ client_id: v.clientId, request: await oauth.issueRequestObject(as, client, params, signing) })
  if (v.par) {
    const pushed = await oauth.processPushedAuthorizationResponse(as, client, await oauth.pushedAuthorizationRequest(as, client, auth, params, options))
    params = new URLSearchParams({ client_id: v.clientId, request_uri: pushed.request_uri })
  }
  const url = new URL(as.authorization_endpoint)
  url.search = params
  const back = await browse(url)
  const open = async (back) => v.jarm ? oauth.validateJwtAuthResponse(as, client, back, state, { ...insecure, ...decrypt }) : oauth.validateAuthResponse(as, client, back, state)
  await refuses('an answer of another issuer', () => open(tampered(back)))
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth, await open(back), v.redirectUri, verifier, options)
  if (v.wrongNonce) return refuses('another nonce', () => oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: 'another' }))
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true, ...decrypt })
  await oauth.validateApplicationLevelSignature(as, response, insecure)
  const claims = oauth.getValidatedIdTokenClaims(tokens)
  const userinfo = await oauth.userInfoRequest(as, client, tokens.access_token, options)
  check(claims, await oauth.processUserInfoResponse(as, client, claims.sub, userinfo, decrypt))
  if (v.userinfo) await oauth.validateApplicationLevelSignature(as, userinfo, insecure)
}

const libraries = { 'openid-client': openidClient, oauth4webapi }
for (const v of variants) {
  try {
    await libraries[v.library](v)
    console.log(`ok ${v.name}`)
  } catch (e) {
    console.log(`${v.name}: ${e.message} ${JSON.stringify(e.cause ?? null)} ${e.stderr ?? ''}`)
  }
}
