"""Channels: one leg of a call each, with one owner.

registry = ChannelRegistry(bus, engine, loop)
channel = registry.driver("PJSIP").request(DialRequest(resource="6001"))   # state Down, owned by nobody yet
channel.own(story(channel))            # the owner task; HungUp is raised in its waits when the channel is to end
await channel.sleep(0.5)               # in the story: waits go through the channel, so that a hangup ends them
channel.request_hangup(17)             # from anywhere: the owner unwinds, then the leg ends with that cause
"""
