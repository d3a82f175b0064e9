namespace Hyperlight.Samples.AspNetFunctions.Tests;

[TestFixtureSource(typeof(Drivers), nameof(Drivers.All))]
internal sealed class CallTests(string driver)
{
    private FunctionService _service;
    private HttpClient _client;

    [OneTimeSetUp]
    public void Start()
    {
        Drivers.Require(driver);
        _service = new FunctionService(driver);
        _client = _service.CreateClient();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_service is not null)
        {
            _client.Dispose();
            await _service.DisposeAsync();
        }
    }

    [TestCase("Add", "[40,2]", "42")]
    [TestCase("Add", "[2147483647,1]", "-2147483648")]
    [TestCase("Reverse", "[\"AQID\"]", "\"AwIB\"")]
    [TestCase("CountPrimes", "[1000]", "168")]
    [TestCase("Remember", "[\"a \\u00fc text\"]", "\"\"")]
    [TestCase("Wait", "[20]", "20")]
    [TestCase("Log", "[\"a record\",3]", "null")]
    public async Task A_call_returns_the_function_s_result(string function, string arguments, string result)
    {
        Answer answer = await FunctionService.CallAsync(_client, function, arguments);
        Assert.That(answer.Status, Is.EqualTo(200));
        Assert.That(answer.Result.GetRawText(), Is.EqualTo(result));
    }

    [TestCase("Add", "[1]", 400, "arguments, caller", "takes 2 arguments, and there are 1")]
    [TestCase("Add", "[1,2147483648]", 400, "arguments, caller", "Argument 1 ('right') must be an integer from -2147483648 to 2147483647")]
    [TestCase("Add", "[1,1.5]", 400, "arguments, caller", "Argument 1 ('right')")]
    [TestCase("Add", "[1,\"2\"]", 400, "arguments, caller", "Argument 1 ('right')")]
    [TestCase("Reverse", "[\"!\"]", 400, "arguments, caller", "bytes in Base64")]
    [TestCase("Remember", "[\"\\ud800\"]", 400, "arguments, caller", "must be a text")]
    [TestCase("Add", "{}", 400, "arguments, caller", "must be an array")]
    [TestCase("Nothing", "[]", 404, "function-not-found, caller", "There is no function 'Nothing'; there are: Add")]
    [TestCase("Fail", "[\"sorry\"]", 422, "guest-error, guest", "sorry")]
    [TestCase("CountPrimes", "[1000001]", 422, "guest-error, guest", "the limit is at most 1000000")]
    [TestCase("Crash", "[]", 502, "guest-crashed, guest", "InvalidOpcode")]
    public async Task A_failure_is_a_problem_that_says_whose_fault_it_is(string function, string arguments, int status, string problem, string detail)
    {
        Answer answer = await FunctionService.CallAsync(_client, function, arguments);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(answer.Status, Is.EqualTo(status));
            Assert.That(answer.MediaType, Is.EqualTo("application/problem+json"));
            Assert.That(answer.Problem, Is.EqualTo(problem));
            Assert.That(answer.Detail, Does.Contain(detail));
        }
    }

    [TestCase("nonsense")]
    [TestCase("")]
    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("{\"arguments\":[1,2],\"other\":1}")]
    [TestCase("{\"arguments\":[1,2],\"signature\":7}")]
    [TestCase("{\"arguments\":[[[[[[[[[[[[1]]]]]]]]]]]]}")]
    public async Task A_body_that_is_no_call_is_refused(string body)
    {
        Answer answer = await FunctionService.PostAsync(_client, "/guests/functions/functions/Add", body);
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((400, "arguments, caller")));
    }

    [Test]
    public async Task A_guest_that_crashes_does_not_affect_the_next_request()
    {
        for (int i = 0; i < 5; i++)
        {
            Assert.That((await FunctionService.CallAsync(_client, "Crash")).Status, Is.EqualTo(502));
            Assert.That((await FunctionService.CallAsync(_client, "Add", "[1,2]")).Result.GetInt32(), Is.EqualTo(3));
        }
    }

    [Test]
    public async Task No_request_sees_what_another_one_left_in_the_guest()
    {
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 100)
            .Select(i => FunctionService.CallAsync(_client, "Remember", $"[\"marker {i}\"]")));
        Assert.That(answers.Select(answer => answer.Result.GetString()), Is.All.Empty);
    }

    [Test]
    public async Task Calls_that_wait_in_a_host_function_do_not_wait_for_each_other()
    {
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => FunctionService.CallAsync(_client, "Wait", "[200]")));
        Assert.That(answers.Select(answer => answer.Result.GetUInt32()), Is.All.EqualTo(200));
    }
}
