import CarpelAgent

Agent.main()
