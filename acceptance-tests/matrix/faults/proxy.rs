//! A proxy before an Engine or a registry, which counts requests and lets one go wrong.

use super::{
    boundaries::Requests,
    exchange::Exchange,
    fault::{Fault, Moment, Victim},
    http::{Head, refusal},
    processes::{process, signal},
};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    runtime::Runtime,
    sync::watch,
};

/// How long an answer is held back for another request to be answered before it.
pub const HELD_BACK: Duration = Duration::from_millis(700);

/// Where requests go to.
#[derive(Clone)]
enum Target {
    Socket(PathBuf),
    Address(String),
}

/// The fault that one request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injection {
    pub fault: Fault,
    pub place: Place,
}

/// Which request of an operation it is, the first being 1.
///
/// Requests that are under way at the same time come in another order in each run. Writes are few, so they are counted
/// among themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Request(usize),
    Write(usize),
}

impl Place {
    /// That of the request of a number among these.
    pub fn of(number: usize, requests: &[Request]) -> Self {
        let writes = requests[..number].iter().filter(|request| is_write(request)).count();
        if is_write(&requests[number - 1]) { Place::Write(writes) } else { Place::Request(number) }
    }
}

/// A request that was seen: its method and path.
pub type Request = (String, String);

/// Whether a request changes something. A container that is to be created is of no image that exists: so an Engine is asked
/// whether it has a folder.
pub fn is_write((method, path): &Request) -> bool {
    method != "GET" && method != "HEAD" && path != "/containers/create"
}

#[derive(Default)]
struct Seen {
    requests: Vec<Request>,
    injection: Option<Injection>,
    /// The number of the request that has met the fault.
    met: Option<usize>,
    injected: bool,
    /// The process whose children are the provider's, for a registry's proxy.
    terraform: Option<u32>,
    /// The numbers of the requests that wait for an answer, and of those that have ever done so beside another.
    waiting: BTreeSet<usize>,
    together: BTreeSet<usize>,
    /// The numbers of the writes that were answered by a refusal of which no fault is the cause.
    refused: BTreeSet<usize>,
}

/// What happens to a part of the swarm.
pub type Blow = Arc<dyn Fn() + Send + Sync>;

/// What all connections of a proxy know.
pub struct Shared {
    target: Target,
    seen: Mutex<Seen>,
    connections: AtomicUsize,
    /// What happens where something real is to.
    blow: Mutex<Option<Blow>>,
    /// The highest number of a request that was answered.
    answered: watch::Sender<usize>,
}

/// The proxy. It goes on until the process ends.
pub struct Proxy {
    shared: Arc<Shared>,
    /// Where it listens, as the provider is told: a `unix://` or an `http://` address.
    pub address: String,
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

impl Proxy {
    /// A socket in `folder` before that of an Engine.
    pub fn before_engine(engine: &Path, folder: &Path) -> Self {
        let path = folder.join("proxy.sock");
        let _entered = runtime().enter();
        let listener = UnixListener::bind(&path).unwrap();
        let shared = Arc::new(Shared::of(Target::Socket(engine.to_owned())));
        let serving = Arc::clone(&shared);
        runtime().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let from = client.peer_cred().ok().and_then(|peer| peer.pid()).unwrap_or_default();
                tokio::spawn(serve(client, u32::try_from(from).ok(), Arc::clone(&serving)));
            }
        });
        Proxy { shared, address: format!("unix://{}", path.display()) }
    }

    /// A port before a registry at `address`, which is `host:port`.
    pub fn before_registry(address: &str) -> Self {
        let _entered = runtime().enter();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let own = listener.local_addr().unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let shared = Arc::new(Shared::of(Target::Address(address.to_owned())));
        let serving = Arc::clone(&shared);
        runtime().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, None, Arc::clone(&serving)));
            }
        });
        Proxy { shared, address: format!("http://{own}") }
    }

    /// Counts from one again, and lets one request go wrong. Whoever is still connected from before is waited for: a
    /// provider whose Terraform was killed goes on for some seconds.
    pub fn begin(&self, injection: Option<Injection>) {
        crate::testbed::eventually("nobody is connected any more", || {
            (self.shared.connections.load(SeqCst) == 0).then_some(())
        });
        *self.shared.seen() = Seen { injection, ..Seen::default() };
        self.shared.answered.send_replace(0);
    }

    /// Says which process Terraform is.
    pub fn terraform_is(&self, process: u32) {
        self.shared.seen().terraform = Some(process);
    }

    /// Says what is to happen where something real is to.
    pub fn strikes(&self, blow: Blow) {
        *self.shared.blow.lock().unwrap() = Some(blow);
    }

    /// Lets nothing go wrong any more, and answers whether something did.
    pub fn end(&self) -> bool {
        let mut seen = self.shared.seen();
        seen.injection = None;
        seen.injected
    }

    /// The request that has met the fault, if one has.
    pub fn met(&self) -> Option<Request> {
        let seen = self.shared.seen();
        Some(seen.requests[seen.met? - 1].clone())
    }

    /// The requests since it began, in the order of their arrival.
    pub fn requests(&self) -> Requests {
        let seen = self.shared.seen();
        Requests::of(&seen.requests, &seen.together, &seen.refused)
    }
}

impl Shared {
    fn of(target: Target) -> Self {
        Shared {
            target,
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            blow: Mutex::default(),
            answered: watch::Sender::new(0),
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// Counts a request, and answers its number and what goes wrong with it.
    fn arrived(&self, request: Request) -> (usize, Option<Fault>) {
        let mut seen = self.seen();
        // A stream of events goes on beside everything else, and its answer is no answer to wait for.
        let waits = request.1 != "/events";
        seen.requests.push(request);
        let number = seen.requests.len();
        if waits {
            seen.waiting.insert(number);
        }
        if waits && seen.waiting.len() > 1 {
            let waiting = seen.waiting.clone();
            seen.together.extend(waiting);
        }
        let here = Place::of(number, &seen.requests);
        let is_meant = |place| place == here || place == Place::Request(number);
        let injection = seen.injection.filter(|injection| seen.met.is_none() && is_meant(injection.place));
        seen.met = seen.met.or(injection.map(|_| number));
        (number, injection.map(|injection| injection.fault))
    }

    /// Notes that something went wrong.
    pub fn injected(&self) {
        self.seen().injected = true;
    }

    /// Notes that nothing came of a request, if it was a write.
    fn refused(&self, number: usize) {
        let mut seen = self.seen();
        if is_write(&seen.requests[number - 1]) {
            seen.refused.insert(number);
        }
    }

    fn answered(&self, number: usize) {
        self.seen().waiting.remove(&number);
        self.answered.send_if_modified(|highest| {
            let higher = number > *highest;
            *highest = number.max(*highest);
            higher
        });
    }

    fn process(&self, victim: Victim, from: Option<u32>) -> io::Result<u32> {
        let terraform = self.seen().terraform;
        process(victim, from, terraform)
    }

    pub async fn strike(&self) -> io::Result<()> {
        let blow = self.blow.lock().unwrap().clone().ok_or_else(|| io::Error::other("nothing to happen"))?;
        self.injected();
        tokio::task::spawn_blocking(move || blow()).await.map_err(io::Error::other)
    }

    /// Waits until a later request is answered; whether one is.
    pub async fn is_overtaken(&self, number: usize) -> bool {
        let mut answered = self.answered.subscribe();
        let later = answered.wait_for(|highest| *highest > number);
        matches!(tokio::time::timeout(HELD_BACK, later).await, Ok(Ok(_)))
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn serve(client: impl Stream + 'static, from: Option<u32>, shared: Arc<Shared>) {
    shared.connections.fetch_add(1, SeqCst);
    // A connection that breaks is what this is about.
    let _broken = relay(client, from, &shared).await;
    shared.connections.fetch_sub(1, SeqCst);
}

async fn connect(target: &Target) -> io::Result<Box<dyn Stream>> {
    Ok(match target {
        Target::Socket(path) => Box::new(UnixStream::connect(path).await?),
        Target::Address(address) => Box::new(TcpStream::connect(address).await?),
    })
}

/// Passes requests on, one after the other, until one side closes the connection or a fault does.
async fn relay(client: impl Stream, from: Option<u32>, shared: &Shared) -> io::Result<()> {
    let (client, mut to_client) = tokio::io::split(client);
    let mut client = BufReader::new(client);
    let (engine, mut to_engine) = tokio::io::split(connect(&shared.target).await?);
    let mut engine = BufReader::new(engine);
    while let Some(head) = Head::read(&mut client).await? {
        let mut request = head.0.clone();
        for part in head.body_of_request().rest(&mut client).await? {
            request.extend(part);
        }
        let asked = head.asked();
        let method = asked.0.clone();
        let (number, fault) = shared.arrived(asked);
        match fault {
            Some(Fault::Closed(Moment::Before)) => {
                shared.injected();
                return Ok(());
            }
            Some(Fault::Killed(victim, Moment::Before)) => return kill(victim, from, shared).await,
            Some(Fault::Struck(Moment::Before)) => shared.strike().await?,
            Some(Fault::Interrupted) => {
                shared.injected();
                signal("-INT", shared.process(Victim::Terraform, from)?).await?;
            }
            Some(Fault::Refused(words, Moment::Before)) => {
                shared.injected();
                let (status, message) = words.answer();
                to_client.write_all(&refusal(status, message)).await?;
                continue;
            }
            _ => {}
        }
        to_engine.write_all(&request).await?;
        let head = Head::read(&mut engine).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if head.status() >= 400 {
            shared.refused(number);
        }
        let body = head.body_of_answer(&method);
        let open = body.leaves_open();
        let mut exchange = Exchange { client: &mut client, engine: &mut engine, head, body, number };
        let goes_on = match fault {
            None | Some(Fault::Interrupted | Fault::Struck(Moment::Before)) => {
                exchange.pass(&mut to_client).await?
            }
            Some(Fault::Killed(victim, Moment::Done)) => {
                exchange.is_done().await?;
                return kill(victim, from, shared).await;
            }
            Some(fault) => exchange.goes_wrong(fault, &mut to_client, shared).await?,
        };
        shared.answered(number);
        if !goes_on || !open {
            return Ok(());
        }
    }
    Ok(())
}

async fn kill(victim: Victim, from: Option<u32>, shared: &Shared) -> io::Result<()> {
    let process = shared.process(victim, from)?;
    shared.injected();
    signal("-KILL", process).await
}
