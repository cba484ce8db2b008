// Logs in once for every variant that it reads from standard input, and prints one line for each: "ok <name>" or why not.
// The input is {issuer, sandbox, cards, variants: [{name, library, clientId, redirectUri, key, par, jar, jarm, alg}]}.
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'

const { issuer, sandbox, cards, variants } = JSON.parse(await text(process.stdin))
const run = promisify(execFile)

// browse is the person with the card: from the authorization request to the address of the answer.
async function browse(url) {
  const { stdout } = await run(sandbox, ['login', '--card', new URL(cards).host, url.href])
  return new URL(stdout.trim())
}

async function privateKey({ key, keyAlg }) {
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
  const metadata = { id_token_signed_response_alg: v.alg, authorization_signed_response_alg: v.alg }
  const config = await openid.discovery(new URL(issuer), v.clientId, metadata, openid.PrivateKeyJwt(signing),
    { execute: [openid.allowInsecureRequests] })
  if (v.jarm) openid.useJwtResponseMode(config)
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const expectedState = openid.randomState(), expectedNonce = openid.randomNonce()
  let url = openid.buildAuthorizationUrl(config, {
    redirect_uri: v.redirectUri, scope: 'openid age_over_18', state: expectedState, nonce: expectedNonce,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
  })
  if (v.jar) url = await openid.buildAuthorizationUrlWithJAR(config, url.searchParams, signing)
  if (v.par) url = await openid.buildAuthorizationUrlWithPAR(config, url.searchParams)
  const tokens = await openid.authorizationCodeGrant(config, await browse(url), { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true })
  const claims = tokens.claims()
  check(claims, await openid.fetchUserInfo(config, tokens.access_token, claims.sub))
}

async function oauth4webapi(v) {
  const insecure = { [oauth.allowInsecureRequests]: true }
  const signing = await privateKey(v)
  const as = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), insecure))
  const client = { client_id: v.clientId, id_token_signed_response_alg: v.alg, authorization_signed_response_alg: v.alg }
  const auth = oauth.PrivateKeyJwt(signing)
  const verifier = oauth.generateRandomCodeVerifier(), state = randomUUID(), nonce = randomUUID()
  let params = new URLSearchParams({ client_id: v.clientId, redirect_uri: v.redirectUri, response_type: 'code', scope: 'openid age_over_18', state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' })
  if (v.jarm) params.set('response_mode', 'jwt')
  if (v.jar) params = new URLSearchParams({ client_id: v.clientId, request: await oauth.issueRequestObject(as, client, params, signing) })
  if (v.par) {
    const pushed = await oauth.processPushedAuthorizationResponse(as, client, await oauth.pushedAuthorizationRequest(as, client, auth, params, insecure))
    params = new URLSearchParams({ client_id: v.clientId, request_uri: pushed.request_uri })
  }
  const url = new URL(as.authorization_endpoint)
  url.search = params
  const back = await browse(url)
  const answer = v.jarm ? await oauth.validateJwtAuthResponse(as, client, back, state, insecure) : oauth.validateAuthResponse(as, client, back, state)
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth, answer, v.redirectUri, verifier, insecure)
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true })
  await oauth.validateApplicationLevelSignature(as, response, insecure)
  const claims = oauth.getValidatedIdTokenClaims(tokens)
  const userinfo = await oauth.userInfoRequest(as, client, tokens.access_token, insecure)
  check(claims, await oauth.processUserInfoResponse(as, client, claims.sub, userinfo))
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
